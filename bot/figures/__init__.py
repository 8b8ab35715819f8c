"""Figures about the show and the desk, out of rows. Pure: no I/O, no clock, no order of rows but where it says so."""
