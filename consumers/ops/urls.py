"""ops/."""

from rest_framework.routers import SimpleRouter

from consumers.ops.api import FlowViewSet, TraceViewSet

router = SimpleRouter(use_regex_path=False)
router.register("flow", FlowViewSet, basename="ops-flow")
router.register("orders", TraceViewSet, basename="ops-order")
urlpatterns = router.urls
