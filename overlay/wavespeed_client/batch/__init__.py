"""Many inputs for one model: a batch's state, its throttle and journal, and what carries its steps out."""
