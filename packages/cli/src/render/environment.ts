/** `.env.example`: every variable the programs read, from the configuration's own schema and the few that are not part of it. Pure. */
import { config } from '@kalnet/contracts/config'
import { variableFor } from '@kalnet/server/core/config'
import { configSchema } from '../config-example.ts'

interface Node {
  description?: string
  enum?: string[]
  properties?: Record<string, Node>
  type?: string
}
export interface Variable {
  name: string
  meaning: string
  /** What it is when nothing is said; null: nothing. */
  usual: string | null
}

function leaves(node: Node, defaults: unknown, path: string[]): Variable[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const value = (defaults as Record<string, unknown> | undefined)?.[name]
    const here = [...path, name]
    if (child.properties) return leaves(child, value, here)
    const choices = child.enum ? ` One of: ${child.enum.join(', ')}.` : ''
    const isEmpty = value === undefined || (Array.isArray(value) && value.length === 0)
    return [
      {
        name: variableFor(here),
        meaning: `${child.description ?? ''}${choices}`,
        usual: isEmpty ? null : Array.isArray(value) ? value.join(',') : String(value),
      },
    ]
  })
}

/** Read by the programs themselves before there is any configuration. */
const BEFORE: readonly Variable[] = [
  { name: 'KALNET_HOME', meaning: 'One folder for data, sockets and configuration.', usual: null },
  {
    name: 'KALNET_MASTER_KEY_FILE',
    meaning: 'The key that seals secrets, when it does not stand in the configuration folder.',
    usual: null,
  },
  {
    name: 'KALNET_CONTROLLER_TOKEN',
    meaning: 'One-use token with which a controller enrols (`kalnet controllers enrol`).',
    usual: null,
  },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    meaning: 'The same as KALNET_TELEMETRY_OTLP_URL, which stands above it.',
    usual: null,
  },
  {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    meaning: 'The same as KALNET_TELEMETRY_OTLP_HEADERS, which stands above it.',
    usual: null,
  },
]
/** Read by the compose files alone. */
const COMPOSE: readonly Variable[] = [
  {
    name: 'KALNET_IMAGE',
    meaning: 'The image of Kalnet; built from this checkout where it is not there.',
    usual: 'kalnet:local',
  },
  {
    name: 'KALNET_CONTROLLER_IMAGE',
    meaning: 'The image of the controller, which is that of Kalnet with what builds images for instances.',
    usual: 'kalnet-controller:local',
  },
  {
    name: 'KALNET_BASE',
    meaning: 'What both are built on: a Debian with Node 24 and npm, which say where packages come from.',
    usual: 'node:24-bookworm-slim',
  },
  { name: 'KALNET_HOST', meaning: 'The name people reach Kalnet by.', usual: 'kalnet.home.arpa' },
  {
    name: 'POSTGRES_PASSWORD',
    meaning: 'Of the database of the compose files. Choose a long one.',
    usual: null,
  },
  {
    name: 'TRAEFIK_KEY',
    meaning:
      'Service key by which Traefik asks for its routes, made when Kalnet was claimed: `docker compose -f docker-compose.prod.yml exec control-plane kalnet key add traefik --scope gateway.serve`. Until then it leads to Kalnet itself only.',
    usual: null,
  },
  { name: 'ACME_MAIL', meaning: "Your address, for Let's Encrypt.", usual: null },
  {
    name: 'KALNET_CA_FINGERPRINT',
    meaning: 'Of the local authority, as `kalnet controllers enrol` prints it.',
    usual: null,
  },
]

export const variables = (): Variable[] => [
  ...leaves(configSchema() as Node, config.parse({}), []),
  ...BEFORE,
]

export function environmentExample(): string {
  const show = ({ name, meaning, usual }: Variable) => [`# ${meaning}`, `#${name}=${usual ?? ''}`, '']
  return [
    '# Every variable that Kalnet reads. What stands here as a comment is what it is when nothing is said.',
    '# Made by `kalnet render`; copy it to `.env` and change that.',
    '',
    ...variables().flatMap(show),
    '# --- Only for docker-compose.yml and docker-compose.prod.yml ---',
    '',
    ...COMPOSE.flatMap(show),
  ].join('\n')
}
