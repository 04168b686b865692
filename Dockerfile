# Built in stages: what runs has neither a compiler nor pip nor a cache, and nothing that it runs may be written by it.
# A tag says which image that is, its digest that it is no other. To renew it, change both together:
# docker buildx imagetools inspect python:3.13-slim-trixie
FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS python

FROM python AS packages
COPY requirements.txt /build/
RUN python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv/bin/python install --no-cache-dir --only-binary :all: \
        --require-hashes -r /build/requirements.txt

FROM packages AS application
WORKDIR /app
COPY manage.py ./
COPY dialogix dialogix
COPY conversations conversations
COPY providers providers
# Bytecode now, since the one who serves may not write here; the secret key is for this step alone.
RUN DJANGO_SECRET_KEY=collecting-needs-none STATE_DIR=/tmp/state /opt/venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash dialogix conversations providers

FROM python
RUN groupadd --gid 10001 dialogix \
    && useradd --uid 10001 --gid dialogix --no-create-home --shell /usr/sbin/nologin dialogix \
    && install -d -o dialogix -g dialogix -m 0700 /data \
    && python -m pip uninstall --quiet --yes --root-user-action ignore pip
COPY --from=packages /opt/venv /opt/venv
COPY --from=application /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    STATE_DIR=/data
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/livez\", timeout=2)"]
CMD ["python", "-m", "dialogix.serve"]
