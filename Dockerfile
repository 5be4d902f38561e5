# One image for every service; compose.yaml says which command runs. By itself it plays the scenarios.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY packaging packaging
COPY sqlport sqlport
COPY psp_sim psp_sim
COPY shop shop
COPY scenarios scenarios
COPY loadtests loadtests
# Editable, so that there is one copy of the code and compose.yaml can name a file of it.
RUN pip install --quiet --constraint constraints.txt --editable ./packaging/psp-sim --editable '.[load,postgres,dialects]' \
 && python -m compileall -q sqlport psp_sim shop scenarios loadtests

# /data is where compose.yaml mounts a volume, which takes over who owns the folder here.
RUN useradd --system --uid 10001 --create-home service && install --directory --owner service /data
USER service
CMD ["python", "-m", "scenarios", "run"]
