/** The compose files: Kalnet on Docker, plain and behind Traefik. Pure; understood by compose 1.29 and 2; started in `test/compose`. */
import { tcpEntry, udpEntry } from '@kalnet/server/gateway/render/traefik'
import { stringify } from 'yaml'
import { CONTROLLER_HOME, IMAGE_USER } from './dockerfile.ts'

export interface OpenPort {
  kind: 'tcp' | 'udp'
  port: number
}
/** A variable of compose: `:-x` is what it is when it is not set, `:?x` what is said then. */
const from = (name: string, otherwise = ''): string => `\${${name}${otherwise}}`
const HOST = from('KALNET_HOST', ':-kalnet.home.arpa')
const PASSWORD = from('POSTGRES_PASSWORD', ':?choose one in .env')

interface Service {
  [key: string]: unknown
}

const HEAD = (what: string) =>
  `# ${what}\n# Made by \`kalnet render\`: what is changed by hand is lost with the next one.\n`
const limits = (cpus: string, memory: string, pids = 256) => ({
  deploy: { resources: { limits: { cpus, memory } } },
  pids_limit: pids,
})
const HEALTHY = ['node', '/opt/kalnet/packages/cli/src/healthy.ts']
const noGain = { security_opt: ['no-new-privileges:true'] }
/** Nothing of the image is written to, no program gains rights. */
const hardened = { read_only: true, cap_drop: ['ALL'], ...noGain, tmpfs: ['/tmp'] }
/** Whoever is well is so at once; the long start is for slow machines, where what waits for it would give up. */
const health = (test: string[], start = '120s') => ({
  healthcheck: { test: ['CMD', ...test], interval: '10s', timeout: '10s', retries: 5, start_period: start },
})

const postgres: Service = {
  image: 'postgres:17',
  restart: 'unless-stopped',
  environment: { POSTGRES_USER: 'kalnet', POSTGRES_DB: 'kalnet', POSTGRES_PASSWORD: PASSWORD },
  volumes: ['database:/var/lib/postgresql/data'],
  networks: ['data'],
  // It begins as root, gives its folder to its own user and goes on as that one.
  cap_drop: ['ALL'],
  cap_add: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'],
  ...noGain,
  ...health(['pg_isready', '-U', 'kalnet', '-d', 'kalnet']),
  ...limits('1', '512M'),
}

const built = (image: string, target: string) => ({
  image,
  build: {
    context: '../..',
    dockerfile: 'deploy/compose/Dockerfile',
    target,
    args: { KALNET_BASE: from('KALNET_BASE', ':-node:24-bookworm-slim') },
  },
})

const controlPlane = ({
  environment,
  ...more
}: Service & { environment: Record<string, string> }): Service => ({
  ...built(from('KALNET_IMAGE', ':-kalnet:local'), 'kalnet'),
  command: ['serve'],
  restart: 'unless-stopped',
  depends_on: { postgres: { condition: 'service_healthy' } },
  environment: {
    KALNET_DATABASE_URL: `postgres://kalnet:${PASSWORD}@postgres:5432/kalnet`,
    KALNET_LISTEN_HOST: '0.0.0.0',
    KALNET_TLS_ENABLED: 'true',
    KALNET_TLS_NAMES: `localhost,control-plane,${HOST}`,
    KALNET_DOMAIN: HOST,
    KALNET_PUBLIC_URL: `https://${HOST}`,
    KALNET_GATEWAY_PUBLIC_HTTPS_PORT: '443',
    ...environment,
  },
  volumes: ['config:/etc/kalnet', 'data:/var/lib/kalnet'],
  ...hardened,
  tmpfs: ['/tmp', `/run/kalnet:uid=${IMAGE_USER},gid=${IMAGE_USER},mode=0700`],
  ...health(HEALTHY, '300s'),
  ...limits('2', '1G'),
  ...more,
})

/**
 * It makes containers through the engine, which is to be root on this machine. It must reach them (the machine's network), keep them
 * from the rest (its packet filter), enter their networks (its processes) and unpack images for them (mounts of its own).
 */
const controller: Service = {
  ...built(from('KALNET_CONTROLLER_IMAGE', ':-kalnet-controller:local'), 'controller'),
  command: [
    'controller',
    '--join',
    'https://127.0.0.1:7400',
    '--ca-fingerprint',
    from('KALNET_CA_FINGERPRINT', ':-'),
    '--platforms',
    'docker',
  ],
  restart: 'unless-stopped',
  profiles: ['controller'],
  network_mode: 'host',
  pid: 'host',
  cap_add: ['SYS_ADMIN', 'SYS_PTRACE', 'NET_ADMIN'],
  security_opt: ['apparmor:unconfined'],
  depends_on: { 'control-plane': { condition: 'service_healthy' } },
  environment: { KALNET_CONTROLLER_TOKEN: from('KALNET_CONTROLLER_TOKEN', ':-') },
  volumes: ['/var/run/docker.sock:/var/run/docker.sock', `${CONTROLLER_HOME}:${CONTROLLER_HOME}`],
  ...health([...HEALTHY, 'controller'], '300s'),
  ...limits('2', '2G', 1024),
}

const nats: Service = {
  image: 'nats:2-alpine',
  restart: 'unless-stopped',
  command: ['-m', '8222'],
  networks: ['data'],
  ...hardened,
  ...health(['wget', '-q', '-O', '-', 'http://127.0.0.1:8222/healthz']),
  ...limits('0.5', '128M'),
}

const traefik = (open: readonly OpenPort[]): Service => ({
  image: 'traefik:v3.6',
  restart: 'unless-stopped',
  // Instances are in networks of the engine that only the machine itself reaches.
  network_mode: 'host',
  depends_on: { 'control-plane': { condition: 'service_healthy' } },
  environment: { KALNET_HOST: HOST },
  command: [
    '--entryPoints.web.address=:80',
    '--entryPoints.web.http.redirections.entryPoint.to=websecure',
    '--entryPoints.web.http.redirections.entryPoint.scheme=https',
    '--entryPoints.websecure.address=:443',
    ...open.map(({ kind, port }) =>
      kind === 'tcp'
        ? `--entryPoints.${tcpEntry(port)}.address=:${port}`
        : `--entryPoints.${udpEntry(port)}.address=:${port}/udp`,
    ),
    // Kalnet's own address, so that it can be claimed before there is a key; and certificates of your own.
    '--providers.file.directory=/etc/traefik/compose',
    '--providers.http.endpoint=https://127.0.0.1:7400/api/traefik/config?reach=any&resolver=letsencrypt&trust=loopback',
    `--providers.http.headers.authorization=Bearer ${from('TRAEFIK_KEY', ':-not-made-yet')}`,
    // Over this machine's own loopback. The authority's file lies beside the master key, which Traefik shall not see.
    '--providers.http.tls.insecureSkipVerify=true',
    '--providers.http.pollInterval=2s',
    `--certificatesResolvers.letsencrypt.acme.email=${from('ACME_MAIL', ':-')}`,
    '--certificatesResolvers.letsencrypt.acme.storage=/acme/acme.json',
    '--certificatesResolvers.letsencrypt.acme.httpChallenge.entryPoint=web',
    // Its own dashboard: no port of its own, only the address that the control plane guards.
    '--api=true',
    '--ping=true',
    '--ping.entryPoint=web',
    '--global.checkNewVersion=false',
    '--global.sendAnonymousUsage=false',
  ],
  volumes: ['acme:/acme', './traefik/compose:/etc/traefik/compose:ro'],
  ...hardened,
  cap_add: ['NET_BIND_SERVICE'],
  ...health(['traefik', 'healthcheck', '--ping', '--ping.entryPoint=web', '--entryPoints.web.address=:80']),
  ...limits('1', '256M'),
})

const fileOf = (what: string, services: object, volumes: string[]) =>
  HEAD(what) +
  stringify(
    {
      services,
      // Only the control plane is in both: nothing else on the edge can speak to the database.
      networks: { edge: {}, data: { internal: true } },
      volumes: Object.fromEntries(volumes.map((name) => [name, {}])),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  )

/** Without Traefik: the built-in gateway is the entry point, ports are direct. */
export const composePlain = (): string =>
  fileOf(
    'Kalnet with its built-in gateway, PostgreSQL and a controller for Docker.',
    {
      postgres,
      'control-plane': controlPlane({
        ports: ['7400:7400', '80:8080', '443:8443'],
        networks: ['edge', 'data'],
        environment: {},
      }),
      controller,
    },
    ['database', 'config', 'data'],
  )

/** Traefik is the entry point: it asks the control plane for all routes, and who may pass. */
export const composeProduction = (open: readonly OpenPort[]): string =>
  fileOf(
    'Kalnet behind Traefik, with PostgreSQL, NATS and a controller for Docker.',
    {
      traefik: traefik(open),
      postgres,
      nats,
      'control-plane': controlPlane({
        // Only this machine: people come in through Traefik.
        ports: ['127.0.0.1:7400:7400'],
        networks: ['edge', 'data'],
        environment: {
          KALNET_GATEWAY_ENABLED: 'false',
          KALNET_GATEWAY_TRAEFIK_HOST: `traefik.${HOST}`,
          KALNET_NATS_URL: 'nats://nats:4222',
        },
      }),
      controller,
    },
    ['database', 'config', 'data', 'acme'],
  )
