"""Rules over what needs attention, and the messages that leave the portal because of them.

Nothing is imported here: the process that sends (`alerts.transport_child`) needs no Django.
"""
