"""What verdicts report: findings with a life of their own, behind one narrow door."""
