FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY . .
RUN node scripts/bootstrap.mjs build \
  # Optional dependencies are the embedded PostgreSQL and speed-ups; a container has a database of its own.
  && npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error \
  && rm -rf .waybill scripts node_modules/.cache libs/*/src apps/*/src libs/testing

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app ./
RUN ln -s /app/apps/cli/bin/waybill.mjs /usr/local/bin/waybill
USER node
EXPOSE 8080
CMD ["node", "apps/api/dist/main.js"]
