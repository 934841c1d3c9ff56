"""The X11 recorder. It needs the extra `x11` (xcffib, jeepney); nothing else imports it."""
