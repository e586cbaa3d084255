"""Minutes before hours: what would make a job fail late, or its numbers worthless, is said before it trains."""
