"""One file per topic: attributes first, then one-line methods. Machinery lives in admin/base.py."""
