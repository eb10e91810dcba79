"""Signing in: passwords, second factors, sessions, and what they are limited by."""
