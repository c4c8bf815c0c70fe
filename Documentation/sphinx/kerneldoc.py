# SPDX-License-Identifier: GPL-2.0-only
"""The directive kernel-doc: descriptions out of the sources, where they stand.

    .. kernel-doc:: core/mmap.c
       :doc: why a mapping is bound to a buffer

The argument is a file, relative to the top of the tree. Without an option
everything described in it is shown; ":doc:" names one DOC section, ":export:"
restricts to exported functions.

It runs the kernel's scripts/kernel-doc: $KERNELDOC, else that of the newest
kernel whose headers are installed. Without any, the page says so.
"""

import glob
import os
import subprocess

import sphinx
from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.nodes import nested_parse_with_titles

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
INSTALLED = '/lib/modules/*/build/scripts/kernel-doc'

logger = logging.getLogger(__name__)


def find_script():
    if os.environ.get('KERNELDOC'):
        return os.environ['KERNELDOC']
    return max(glob.glob(INSTALLED), key=os.path.getmtime, default=None)


class KernelDoc(Directive):
    required_arguments = 1
    option_spec = {'doc': directives.unchanged, 'export': directives.flag}

    def run(self):
        path = os.path.join(TOP, self.arguments[0])
        env = self.state.document.settings.env
        env.note_dependency(path)
        script = find_script()
        if not script:
            logger.info('no kernel-doc: %s is left out', self.arguments[0])
            return [nodes.paragraph(text=f'See {self.arguments[0]}.')]
        text = self.describe(script, path)
        node = nodes.section()
        node.document = self.state.document
        nested_parse_with_titles(self.state, StringList(
            text.splitlines(), source=path), node)
        return node.children

    def describe(self, script, path):
        command = [script, '-rst', '-sphinx-version', sphinx.__version__]
        if 'doc' in self.options:
            command += ['-function', self.options['doc']]
        else:
            command += ['-no-doc-sections']
            if 'export' in self.options:
                command += ['-export']
        done = subprocess.run(command + [path], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding='utf-8')
        if done.returncode or done.stderr:
            logger.warning('kernel-doc %s: %s', path, done.stderr.strip())
        return done.stdout


def setup(app):
    app.add_directive('kernel-doc', KernelDoc)
    return {'parallel_read_safe': True}
