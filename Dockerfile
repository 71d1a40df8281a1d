# fetalstream without a screen. RESEARCH USE ONLY - NOT FOR DIAGNOSTIC USE.
#
#   docker build -t fetalstream .
#   docker run --rm fetalstream                                    # five seconds of the phantom scan, as one JSON line
#   docker run --rm -v "$PWD/sessions:/sessions" -v "$PWD/clips:/clips:ro" fetalstream \
#       analyze /clips/scan.mp4 --out /sessions --spacing 0.21
#   docker run --rm -it fetalstream demo                           # the dashboard
#
# Mounted folders must be writable for user 1000. NOTICE names the licences of the libraries in the image.
FROM python:3.13-slim AS build
WORKDIR /source
RUN python -m venv /opt/fetalstream
# torch first: it changes less often than the code, and takes the time. The usual registry has it with CUDA; with
# --build-arg TORCH_INDEX=URL it comes from another index, such as PyTorch's own of builds for the CPU.
ARG TORCH_INDEX=""
COPY constraints.txt ./
RUN /opt/fetalstream/bin/pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} \
    torch torchvision
COPY . .
RUN /opt/fetalstream/bin/pip install --no-cache-dir -c constraints.txt ".[dicom,export]"

FROM python:3.13-slim
RUN useradd --uid 1000 --create-home fetalstream \
    && mkdir /sessions \
    && chown fetalstream /sessions
COPY --from=build /opt/fetalstream /opt/fetalstream
ENV PATH=/opt/fetalstream/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 1000
WORKDIR /home/fetalstream
# Sessions, and the user's own models, weights and scanner profiles.
VOLUME ["/sessions", "/home/fetalstream/.config/fetalstream", "/home/fetalstream/.local/share/fetalstream"]
ENTRYPOINT ["fetalstream"]
CMD ["demo", "--headless", "--seconds", "5", "--json"]
