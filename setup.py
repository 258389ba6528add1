"""Keeps tests and the makers of test data out of the wheel; everything else stands in pyproject.toml."""

from setuptools import setup
from setuptools.command.build_py import build_py

NOT_INSTALLED = ("_test", "make_dummy_data", "made_archive")  # ends of module names


class BuildWithoutTests(build_py):
    def find_package_modules(self, package, package_dir):
        modules = super().find_package_modules(package, package_dir)
        return [module for module in modules if not module[1].endswith(NOT_INSTALLED)]


setup(cmdclass={"build_py": BuildWithoutTests})
