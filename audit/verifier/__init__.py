"""The verifier: checks the log and everything proved by it, and trusts nothing but the keys given.

Promise: a result is given only when every signature, hash and rule has been recomputed here from
bytes; whatever is missing, malformed, too long or unknown is refused with one sentence. Standard
library only, Python 3.9 and later, so that anyone can read and run it:
`python3 -I remit-verify.pyz`.

Not promised: that the keys handed to it are the right ones. Compare them with a printed copy.
"""
