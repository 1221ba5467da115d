# One image for every process of the shop; its role is the command it is started with.
ARG PYTHON=python:3.13.11-slim-bookworm

FROM ${PYTHON} AS build
# otel: with what traces need
ARG REQUIREMENTS=base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/shop
COPY requirements/${REQUIREMENTS}.txt /tmp/requirements.txt
RUN /opt/shop/bin/pip install --require-hashes --only-binary :all: --requirement /tmp/requirements.txt && /opt/shop/bin/pip uninstall --yes pip
COPY . /app
WORKDIR /app
# Settings that let Django start; nothing of them stays in the image.
RUN DEBUG=true SECRET_KEY=build DATABASE_URL=postgres://nobody@localhost/nothing /opt/shop/bin/python manage.py collectstatic --noinput \
    && /opt/shop/bin/python -m compileall -q /app /opt/shop

FROM ${PYTHON}
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin shop
COPY --from=build /opt/shop /opt/shop
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/shop/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VAR_DIR=/tmp/shop
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["python", "manage.py", "run_web", "--bind", "0.0.0.0:8000"]
