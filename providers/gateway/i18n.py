"""Mark texts for translation without importing Django. The pages translate them."""


def gettext_noop(text: str) -> str:
    return text
