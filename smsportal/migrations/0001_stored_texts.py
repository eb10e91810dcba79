"""Turn the English sentences of earlier versions into keys with values (`core.stored_texts`).

A sentence that is not recognised stays as it is. Rows are changed in slices, each with a
transaction of its own, so that no lock is held for long. It may be interrupted and run again.
Backwards, keys become the English sentences of earlier versions.
"""

import json
import re

from django.db import migrations

SLICE = 1000

# Columns of reasons, and the sentences of each key. Backwards, the first one is written.
OUTCOMES = {
    "outcome.has": ("Recipient has it", "Recipient received it"),
    "outcome.has_not": ("Recipient does not have it", "Recipient did not receive it"),
    "outcome.console": ("Seen in the provider's console", "Verified in the provider's console"),
    "outcome.correct_code": ("The right code was read out",),
}
ORDER_OUTCOMES = {
    "order_outcome.console": (
        "Seen in the provider's console",
        "Verified in the provider's console",
    ),
    "order_outcome.nothing": (
        "Nothing like it in the provider's list",
        "Not found in the provider's list",
    ),
}
FINDINGS = {
    "finding.provider": ("The provider confirmed it",),
    "finding.elsewhere": (
        "Rented elsewhere with the same key",
        "Rented elsewhere with the same API key",
    ),
    "finding.later": ("Booked later", "Booked with a delay"),
}
REVEALS = {
    "reveal.customer": ("The customer asks", "Customer request"),
    "reveal.complaint": ("A complaint", "Complaint"),
    "reveal.provider": ("A question to the provider", "Inquiry to the provider"),
    "reveal.check": ("A check of our own", "Internal check"),
}
COLUMNS = (
    ("messaging", "Message", "settled_because", OUTCOMES),
    ("rentals", "Order", "settled_because", ORDER_OUTCOMES),
    ("rentals", "Finding", "explained_because", FINDINGS),
)

# Model, key, and the sentences of log entries. Those of several messages at once were written in
# the language of the person.
LOG = (
    ("messaging.message", "message.cancelled", "Cancelled"),
    ("messaging.message", "message.cancelled", "Cancel waiting messages"),
    ("messaging.message", "message.cancelled", "取消排队中的短信"),
    ("messaging.message", "message.released", "Released"),
    ("messaging.message", "message.marked_sent", "Settled as sent: {reason}"),
    ("messaging.message", "message.marked_sent", "Mark as sent: {reason}"),
    ("messaging.message", "message.marked_sent", "标记为已发送: {reason}"),
    ("messaging.message", "message.marked_not_sent", "Settled as not_sent: {reason}"),
    ("messaging.message", "message.marked_not_sent", "Mark as not sent: {reason}"),
    ("messaging.message", "message.marked_not_sent", "标记为未发送: {reason}"),
    ("messaging.message", "message.sent_again", "Sent again as {id}"),
    ("messaging.message", "message.exported", "Exported as {format}: {filters}"),
    ("messaging.batch", "batch.started", "Started"),
    ("messaging.batch", "batch.scheduled", "Scheduled"),
    ("messaging.batch", "batch.unscheduled", "Not scheduled any more"),
    ("messaging.batch", "batch.paused", "Paused"),
    ("messaging.batch", "batch.continued", "Continued"),
    ("messaging.batch", "batch.cancelled", "Cancelled"),
    ("messaging.batch", "batch.sent_again", "Sent again as {id}"),
    ("messaging.batch", "batch.report_downloaded", "Report downloaded"),
    ("messaging.donotsend", "number.listed", "Listed: {reason}"),
    ("messaging.donotsend", "number.removed", "Taken off the list: {reason}"),
    ("otp.session", "session.cancelled", "Cancelled"),
    ("otp.session", "session.sent_again", "Sent again over {account}"),
    ("otp.session", "session.exported", "Exported {count} code sessions as {format}"),
    ("providers.account", "account.paused", "Paused"),
    ("providers.account", "account.resumed", "Resumed"),
    ("providers.account", "account.address_created", "Made a new callback address"),
    ("providers.account", "account.address_revoked", "Revoked a callback address"),
    ("providers.callback", "callback.processed_again", "Processed again"),
    ("providers.hold", "hold.exported", "Exported {count} lines as {format}"),
    ("rentals.order", "order.withdrawn", "Cancelled before ordering"),
    ("rentals.order", "order.cancel_requested", "Cancel asked for"),
    (
        "rentals.order",
        "order.cancel_and_rent_requested",
        "Cancel asked for, another to be rented",
    ),
    ("rentals.order", "order.adopted", "Adopted {id}: {reason}"),
    ("rentals.order", "order.marked_not_placed", "Marked as not made: {reason}"),
    ("rentals.order", "order.imported", "Imported from the provider's list"),
    ("rentals.order", "order.reassigned", "Handed to {name}"),
    ("rentals.order", "order.exported", "Exported {count} rows"),
    ("rentals.transaction", "transaction.exported", "Exported {count} rows"),
    ("rentals.finding", "finding.explained", "Explained: {reason}"),
    ("", "revealed", "Revealed: {reason}"),
)
# The staff's own words about the do-not-send list never were a reason to choose.
PRESETS = {
    "messaging.message": OUTCOMES,
    "rentals.order": ORDER_OUTCOMES,
    "rentals.finding": FINDINGS,
}
EXPORTS = {
    "messages": "messaging.message",
    "orders": "rentals.order",
    "transactions": "rentals.transaction",
    "What waits": "providers.hold",
}


def store(key, **values):
    """As `core.stored_texts.StoredText.store` does."""
    return json.dumps({"key": key, **values}, ensure_ascii=False)


def forwards(apps, schema_editor):
    using = schema_editor.connection.alias
    for app, model, column, reasons in COLUMNS:
        rows = apps.get_model(app, model).objects.using(using)
        replace_values(rows, column, {text: store(key) for key, text in texts_of(reasons)})
    rewrite_log(apps, using, to_key)


def backwards(apps, schema_editor):
    using = schema_editor.connection.alias
    for app, model, column, reasons in COLUMNS:
        rows = apps.get_model(app, model).objects.using(using)
        replace_values(rows, column, {store(key): texts[0] for key, texts in reasons.items()})
    rewrite_log(apps, using, to_sentence)


def texts_of(reasons):
    return [(key, text) for key, texts in reasons.items() for text in texts]


def replace_values(rows, column, replacements):
    last = 0
    while True:
        found = rows.filter(pk__gt=last, **{f"{column}__in": list(replacements)})
        slice_ = list(found.order_by("pk").values_list("pk", column)[:SLICE])
        if not slice_:
            return
        last = slice_[-1][0]
        for text in {text for _, text in slice_}:
            pks = [pk for pk, value in slice_ if value == text]
            rows.filter(pk__in=pks, **{column: text}).update(**{column: replacements[text]})


def rewrite_log(apps, using, rewrite):
    entries = apps.get_model("admin", "LogEntry").objects.using(using)
    types = apps.get_model("contenttypes", "ContentType").objects.using(using)
    models = {pk: f"{app}.{model}" for pk, app, model in types.values_list("pk", "app_label", "model")}
    last = 0
    while True:
        slice_ = list(entries.filter(pk__gt=last).order_by("pk")[:SLICE])
        if not slice_:
            return
        last = slice_[-1].pk
        changed = [
            entry for entry in slice_ if rewrite(entry, models.get(entry.content_type_id, ""))
        ]
        entries.bulk_update(changed, ["change_message", "object_repr"], batch_size=200)


def to_key(entry, model):
    """Whether the entry was rewritten."""
    for of_model, key, pattern in patterns():
        found = pattern.fullmatch(entry.change_message)
        if found and of_model in ("", model):
            values = {name: to_value(name, value, key, model) for name, value in found.groupdict().items()}
            entry.change_message = store(key, **values)
            if not entry.object_id:
                entry.object_repr = EXPORTS.get(entry.object_repr, entry.object_repr)
            return True
    return False


def patterns():
    if not _patterns:
        for model, key, sentence in LOG:
            parts = re.split(r"\{(\w+)\}", sentence)
            text = "".join(
                f"(?P<{part}>{VALUE.get(part, '.*?')})" if at % 2 else re.escape(part)
                for at, part in enumerate(parts)
            )
            _patterns.append((model, key, re.compile(text, re.DOTALL)))
    return _patterns


_patterns = []
VALUE = {"count": r"\d{1,18}", "format": r"\w+", "id": r"[^:]*"}


def to_value(name, value, key, model):
    if name == "count":
        return int(value)
    if name != "reason":
        return value
    reasons = REVEALS if key == "revealed" else PRESETS.get(model, {})
    known = {text: {"key": preset} for preset, text in texts_of(reasons)}
    return known.get(value, value)


def to_sentence(entry, model):
    """Whether the entry was rewritten. One with other values than an earlier version had stays."""
    try:
        values = json.loads(entry.change_message)
    except ValueError:
        return False
    if not isinstance(values, dict):
        return False
    for of_model, key, sentence in LOG:
        if key == values.get("key") and of_model in ("", model):
            break
    else:
        return False
    try:
        entry.change_message = sentence.format_map(
            {name: to_text(value) for name, value in values.items()}
        )
    except KeyError:
        return False
    if not entry.object_id:
        names = {stored: name for name, stored in EXPORTS.items()}
        entry.object_repr = names.get(entry.object_repr, entry.object_repr)
    return True


def to_text(value):
    reasons = {**OUTCOMES, **ORDER_OUTCOMES, **FINDINGS, **REVEALS}
    if isinstance(value, dict):
        return reasons[value["key"]][0]
    return value


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('messaging', '0004_words'),
        ('providers', '0003_words'),
        # Its 0003 reads the sentences of the log.
        ('rentals', '0005_words'),
    ]

    operations = [
        migrations.RunPython(forwards, backwards),
    ]
