/** The compose files: Kalnet on Docker, plain and behind Traefik. Pure; checked by `docker-compose config`. */
import { tcpEntry, udpEntry } from '@kalnet/server/gateway/render/traefik'
import { stringify } from 'yaml'

export interface OpenPort {
  kind: 'tcp' | 'udp'
  port: number
}
/** A variable of compose: `:-x` is what it is when it is not set, `:?x` what is said then. */
const from = (name: string, otherwise = ''): string => `\${${name}${otherwise}}`

interface Service {
  [key: string]: unknown
}

const HEAD = (what: string) =>
  `# ${what}\n# Made by \`kalnet render\`: what is changed by hand is lost with the next one.\n`
const limits = (cpus: string, memory: string) => ({ deploy: { resources: { limits: { cpus, memory } } } })
/** Nothing of the image is written to, no program gains rights. */
const hardened = {
  read_only: true,
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
  tmpfs: ['/tmp'],
}
const health = (test: string[], start = '30s') => ({
  healthcheck: { test: ['CMD', ...test], interval: '10s', timeout: '5s', retries: 5, start_period: start },
})
/** Asked as programs ask, over its own TLS: the certificate is of the local authority, whose file lies beside. */
const ASK_STATUS =
  "require('https').get({host:'127.0.0.1',port:7400,path:'/api/status',ca:require('fs').readFileSync('/etc/kalnet/ca/authority.crt'),servername:'localhost'},r=>process.exit(r.statusCode===200?0:1)).on('error',()=>process.exit(1))"

const postgres: Service = {
  image: 'postgres:17',
  restart: 'unless-stopped',
  environment: {
    POSTGRES_USER: 'kalnet',
    POSTGRES_DB: 'kalnet',
    POSTGRES_PASSWORD: `${from('POSTGRES_PASSWORD', ':?choose one in .env')}`,
  },
  volumes: ['database:/var/lib/postgresql/data'],
  networks: ['data'],
  ...health(['pg_isready', '-U', 'kalnet', '-d', 'kalnet']),
  ...limits('1', '512M'),
}

const controlPlane = (more: Service): Service => ({
  image: `${from('KALNET_IMAGE', ':-kalnet:local')}`,
  build: { context: '../..', dockerfile: 'deploy/compose/Dockerfile' },
  command: ['serve'],
  restart: 'unless-stopped',
  depends_on: { postgres: { condition: 'service_healthy' } },
  environment: {
    KALNET_DATABASE_URL: `postgres://kalnet:${from('POSTGRES_PASSWORD', ':?choose one in .env')}@postgres:5432/kalnet`,
    KALNET_LISTEN_HOST: '0.0.0.0',
    KALNET_TLS_ENABLED: 'true',
    KALNET_TLS_NAMES: `localhost,control-plane,${from('KALNET_HOST', ':-kalnet.home.arpa')}`,
    KALNET_DOMAIN: `${from('KALNET_HOST', ':-kalnet.home.arpa')}`,
  },
  volumes: ['config:/etc/kalnet', 'data:/var/lib/kalnet'],
  ...hardened,
  tmpfs: ['/tmp', '/run/kalnet'],
  ...health(['node', '-e', ASK_STATUS], '60s'),
  ...limits('2', '1G'),
  ...more,
})

/** It makes containers through the engine and must reach them: the machine's own network, and no port of its own. */
const controller: Service = {
  image: `${from('KALNET_IMAGE', ':-kalnet:local')}`,
  command: [
    'controller',
    '--join',
    'https://127.0.0.1:7400',
    '--ca-fingerprint',
    `${from('KALNET_CA_FINGERPRINT', ':-')}`,
    '--platforms',
    'docker',
  ],
  restart: 'unless-stopped',
  profiles: ['controller'],
  network_mode: 'host',
  depends_on: { 'control-plane': { condition: 'service_healthy' } },
  environment: { KALNET_CONTROLLER_TOKEN: `${from('KALNET_CONTROLLER_TOKEN', ':-')}` },
  volumes: [
    '/var/run/docker.sock:/var/run/docker.sock',
    '/var/lib/kalnet-controller:/var/lib/kalnet-controller',
  ],
  ...limits('1', '512M'),
}

const named = (names: string[]) => Object.fromEntries(names.map((name) => [name, {}]))

/** Without Traefik: the built-in gateway is the entry point, ports are direct. */
export function composePlain(): string {
  const file = {
    services: {
      postgres,
      'control-plane': controlPlane({
        ports: ['7400:7400', '80:8080', '443:8443'],
        networks: ['edge', 'data'],
      }),
      controller,
    },
    networks: { edge: {}, data: { internal: true } },
    volumes: named(['database', 'config', 'data']),
  }
  return (
    HEAD('Kalnet with its built-in gateway, PostgreSQL and a controller for Docker.') +
    stringify(file, { lineWidth: 0, aliasDuplicateObjects: false })
  )
}

/** Traefik is the entry point: it asks the control plane for all routes, and who may pass. */
export function composeProduction(open: readonly OpenPort[]): string {
  const entries = open.map(({ kind, port }) =>
    kind === 'tcp'
      ? `--entryPoints.${tcpEntry(port)}.address=:${port}`
      : `--entryPoints.${udpEntry(port)}.address=:${port}/udp`,
  )
  const traefik: Service = {
    image: 'traefik:v3.6',
    restart: 'unless-stopped',
    // Instances are in networks of the engine that only the machine itself reaches.
    network_mode: 'host',
    depends_on: { 'control-plane': { condition: 'service_healthy' } },
    command: [
      '--entryPoints.web.address=:80',
      '--entryPoints.web.http.redirections.entryPoint.to=websecure',
      '--entryPoints.web.http.redirections.entryPoint.scheme=https',
      '--entryPoints.websecure.address=:443',
      ...entries,
      '--providers.http.endpoint=https://127.0.0.1:7400/api/traefik/config?reach=any&resolver=letsencrypt&trust=loopback',
      `--providers.http.headers.authorization=Bearer ${from('TRAEFIK_KEY', ':?make one with `kalnet key`, see .env.example')}`,
      // Over this machine's own loopback. The authority's file lies beside the master key, which Traefik shall not see.
      '--providers.http.tls.insecureSkipVerify=true',
      '--providers.http.pollInterval=2s',
      `--certificatesResolvers.letsencrypt.acme.email=${from('ACME_MAIL', ':-')}`,
      '--certificatesResolvers.letsencrypt.acme.storage=/acme/acme.json',
      '--certificatesResolvers.letsencrypt.acme.httpChallenge.entryPoint=web',
      '--ping=true',
      '--ping.entryPoint=web',
      '--global.checkNewVersion=false',
      '--global.sendAnonymousUsage=false',
    ],
    volumes: ['acme:/acme'],
    ...hardened,
    cap_add: ['NET_BIND_SERVICE'],
    ...health(['traefik', 'healthcheck', '--ping', '--ping.entryPoint=web', '--entryPoints.web.address=:80']),
    ...limits('1', '256M'),
  }
  const nats: Service = {
    image: 'nats:2',
    restart: 'unless-stopped',
    // Only several control planes need it, and those are not proved yet.
    profiles: ['replicas'],
    command: ['-m', '8222'],
    networks: ['data'],
    ...hardened,
    ...health(['wget', '-q', '-O', '-', 'http://127.0.0.1:8222/healthz']),
    ...limits('0.5', '128M'),
  }
  const file = {
    services: {
      traefik,
      postgres,
      nats,
      'control-plane': controlPlane({
        // Only this machine: people come in through Traefik.
        ports: ['127.0.0.1:7400:7400'],
        networks: ['services', 'data'],
        environment: {
          ...(controlPlane({}).environment as object),
          KALNET_GATEWAY_ENABLED: 'false',
          KALNET_GATEWAY_PUBLIC_HTTPS_PORT: '443',
          KALNET_PUBLIC_URL: `https://${from('KALNET_HOST', ':-kalnet.home.arpa')}`,
        },
      }),
      controller,
    },
    networks: { services: {}, data: { internal: true } },
    volumes: named(['database', 'config', 'data', 'acme']),
  }
  return (
    HEAD('Kalnet behind Traefik, with PostgreSQL and a controller for Docker.') +
    stringify(file, { lineWidth: 0, aliasDuplicateObjects: false })
  )
}

/** The image both files run. `KALNET_BASE` where another Node 24 on Debian is at hand. */
export const dockerfile = (): string => `# The control plane and the controller in one image.
# Made by \`kalnet render\`: what is changed by hand is lost with the next one.
ARG KALNET_BASE=node:24-bookworm-slim
FROM \${KALNET_BASE}
WORKDIR /opt/kalnet
COPY package.json package-lock.json .npmrc ./
COPY packages ./packages
RUN npm ci --omit=dev --ignore-scripts
COPY . .
RUN mkdir -p /etc/kalnet /var/lib/kalnet /run/kalnet
ENTRYPOINT ["/opt/kalnet/kalnet"]
CMD ["serve"]
`
