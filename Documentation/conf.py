# SPDX-License-Identifier: GPL-2.0-only
# Sphinx's view of these pages:
#
#	python3 -m sphinx -W Documentation out/html
#
# The reference in api.rst comes from the sources, by the kernel's own script:
# see sphinx/kerneldoc.py.

import os
import re
import sys

sys.path.insert(0, os.path.abspath('sphinx'))

project = 'snd-virtual'
with open('../Kbuild', encoding='ascii') as kbuild:
    release = re.search('^SND_VIRTUAL_VERSION := (.*)', kbuild.read(),
                        re.MULTILINE).group(1)
author = 'snd-virtual contributors'
extensions = ['kerneldoc']
exclude_patterns = ['sphinx']

primary_domain = 'c'
highlight_language = 'none'
# What is said of the kernel's own types and functions is not looked up.
nitpicky = False

html_theme = 'alabaster'
html_show_copyright = False
html_theme_options = {'description': 'a virtual sound card for Linux'}
