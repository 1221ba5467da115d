"""ops/."""

from rest_framework.routers import SimpleRouter

from consumers.ops.api import FlowViewSet, TraceViewSet
from consumers.ops.consumers import ConsumerViewSet
from consumers.ops.letters import DeadLetterViewSet

router = SimpleRouter(use_regex_path=False)
router.register("flow", FlowViewSet, basename="ops-flow")
router.register("orders", TraceViewSet, basename="ops-order")
router.register("dead-letters", DeadLetterViewSet, basename="ops-dead-letter")
router.register("consumers", ConsumerViewSet, basename="ops-consumer")
urlpatterns = router.urls
