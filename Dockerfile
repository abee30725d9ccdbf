# The playground as a docker Space: one CPU process, port 7860, user 1000.
FROM python:3.11-slim

WORKDIR /home/user/app
# The CPU build of torch is preferred where both indexes have the version: its local label (+cpu) sorts higher.
COPY requirements.txt .
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt

RUN useradd --uid 1000 user && chown -R user /home/user
USER user
ENV HOME=/home/user PYTHONUNBUFFERED=1
COPY --chown=user . .

EXPOSE 7860
# Nothing is trained on a public Space, so the pages take no uploads.
# A Space shows the app in a frame of another site, where Streamlit's XSRF cookie does not arrive: uploads would be 403.
CMD ["streamlit", "run", "app.py", "--server.port", "7860", "--server.address", "0.0.0.0", \
     "--server.maxUploadSize", "1", "--server.enableXsrfProtection", "false"]
