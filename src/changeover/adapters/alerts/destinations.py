"""Which destination is meant by an entry of the file?"""

from changeover.adapters.alerts.through_apprise import AppriseDestination
from changeover.adapters.alerts.webhook import Resolve, WebhookDestination
from changeover.settings.declared_alert import DeclaredAlert


def destination_for(declared: DeclaredAlert, *, resolve: Resolve) -> WebhookDestination | AppriseDestination:
    """Secrets are resolved at each delivery: one that was changed counts at once."""
    match declared.kind:
        case "webhook":
            return WebhookDestination(declared, resolve=resolve)
        case "apprise":
            return AppriseDestination(declared, resolve=resolve)
