# The packages are built in one stage and run in another, which has neither compiler nor cache.
FROM python:3.13-slim AS packages
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.13-slim
RUN groupadd --gid 10001 dialogix \
    && useradd --uid 10001 --gid dialogix --no-create-home --shell /usr/sbin/nologin dialogix \
    && install -d -o dialogix -g dialogix -m 0700 /data
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    STATE_DIR=/data
WORKDIR /app
COPY manage.py ./
COPY dialogix dialogix
COPY conversations conversations
COPY providers providers
# Bytecode now, since the one who serves may not write here; the secret key is for this step alone.
RUN python -m compileall -q dialogix conversations providers \
    && DJANGO_SECRET_KEY=collecting-needs-none STATE_DIR=/tmp/state python manage.py collectstatic --noinput --verbosity 0
USER dialogix
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/livez\", timeout=2)"]
CMD ["python", "-m", "dialogix.serve"]
