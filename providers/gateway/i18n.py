"""Marks words for translation where there is no Django. The screens translate them."""


def gettext_noop(text: str) -> str:
    return text
