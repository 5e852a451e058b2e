FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 DATA_DIR=/data
WORKDIR /app

COPY requirements.lock .
# .venv is where manage.py, the Makefile and the documents expect it.
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

COPY . .
# Only collects files; the key is used for nothing and kept nowhere.
RUN SECRET_KEY=build DATA_DIR=/tmp/build .venv/bin/python manage.py collect \
    && useradd --system --uid 10001 merchant \
    && mkdir /data && chown merchant /data .build/static

USER merchant
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s CMD [".venv/bin/python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
CMD [".venv/bin/python", "manage.py", "serve"]
