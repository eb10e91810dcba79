from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "smsportal"
    verbose_name = _("SMS portal")
    default = True


class PortalAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "smsportal.site.PortalSite"
