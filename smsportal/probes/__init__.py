"""What other programs ask the portal about itself: probes and metrics."""
