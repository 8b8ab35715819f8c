"""Tests of the adapters, against real servers and clients on free ports."""
