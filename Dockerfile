# The engine as an image, for machines without Python 3.11, and for those whose Docker lives in a virtual machine.
# How it is run: docs/quickstart.md
ARG BASE=python:3.13-slim
FROM ${BASE}

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git mmdebstrap \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/homeport
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY examples/hello examples/hello
COPY src src
RUN python3 -m venv venv && venv/bin/pip install --no-cache-dir --constraint constraints.txt .

ENV PATH=/opt/homeport/venv/bin:${PATH} HOMEPORT_DATA=/var/lib/homeport HOMEPORT_IMAGE=1
VOLUME /var/lib/homeport
ENTRYPOINT ["homeport"]
CMD ["engine", "start"]
