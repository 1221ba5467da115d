"""orders/."""

from rest_framework.routers import SimpleRouter

from orders.api import OrderViewSet, ProductViewSet

router = SimpleRouter(use_regex_path=False)
router.register("products", ProductViewSet, basename="product")
router.register("", OrderViewSet, basename="order")
urlpatterns = router.urls
