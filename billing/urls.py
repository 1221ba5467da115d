"""billing/."""

from rest_framework.routers import SimpleRouter

from billing.api import AccountViewSet, InvoiceViewSet

router = SimpleRouter(use_regex_path=False)
router.register("accounts", AccountViewSet, basename="account")
router.register("invoices", InvoiceViewSet, basename="invoice")
urlpatterns = router.urls
