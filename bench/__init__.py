"""What the shop's speed is measured against: the floor, the ceiling, and the load that all of them get."""
