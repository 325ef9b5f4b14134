"""Scanning of images: the packages in their layers, as an SBOM, against a database of advisories.

filesystem.py   which files of the layers tell of packages, and which of them the image still has
os_packages.py  dpkg, apk, rpm        python.py  npm.py  golang.py  java.py
package.py      a package             sbom.py    the list as CycloneDX
advisories.py   the database          matching.py  a package against an advisory (pure)
external.py     Trivy and Grype       scan.py    all of it
"""
