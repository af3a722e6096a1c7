"""Adopts what people built before there was a manifest: reads an account, and writes the manifest that takes it over.

1. :mod:`.account` reads the account: plain values of what was found;
2. :mod:`.owners` finds what CloudFormation or another Terraform manages;
3. :mod:`.choice` decides what is owned, what is referred to, and what is not adopted and why;
4. :mod:`.acceptance` accepts what `check` reports of what stays as it is;
5. :mod:`.writing` writes the manifest, which is valid.
"""
