"""Calls routes: policy, rate, retries, ledger, downloads. ``dispatcher.Dispatcher`` is the way in."""
