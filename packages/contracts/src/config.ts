/** `kalnet.yaml`, `KALNET_*` and flags: one schema, every key with its meaning. */
import { z } from 'zod'
import { nats, telemetry } from './config-beside.ts'
import { kubernetesConfig } from './config-kubernetes.ts'
import { placing } from './placing.ts'

const address = z.string().min(1).max(255)
const tcpPort = z.coerce.number().int().min(1).max(65535)
const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const PRIVATE_RANGE = new RegExp(
  `^(10\\.${octet}|172\\.(1[6-9]|2\\d|3[01])|192\\.168)\\.${octet}\\.${octet}/(1[6-9]|2[0-6])$`,
)

export const config = z.strictObject({
  listen: z
    .strictObject({
      host: address
        .default('127.0.0.1')
        .describe(
          'Address to listen on. Plain http never leaves loopback; use `kalnet up --lan` for the network.',
        ),
      port: tcpPort.default(7400).describe('Port of the control plane.'),
    })
    .prefault({}),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('The address people use, when it differs from the one listened on.'),
  tls: z
    .strictObject({
      enabled: z
        .stringbool()
        .or(z.boolean())
        .default(false)
        .describe('HTTPS by the local certificate authority; `up --lan` switches it on.'),
      names: z
        .array(z.string().max(255))
        .default([])
        .describe('Further names and addresses for the certificate.'),
    })
    .prefault({}),
  database: z
    .strictObject({
      url: z
        .string()
        .regex(/^postgres(ql)?:\/\//)
        .optional()
        .describe('A PostgreSQL of your own. Without it Kalnet runs its own.'),
      system: z
        .stringbool()
        .or(z.boolean())
        .default(false)
        .describe('Use the PostgreSQL programs installed on this machine instead of the pinned ones.'),
      listen: z
        .stringbool()
        .or(z.boolean())
        .default(true)
        .describe(
          'Be woken by LISTEN and NOTIFY. Switch it off behind a pooler that hands out connections for one transaction each (pgbouncer): they do not arrive there; `nats.url` is for that.',
        ),
    })
    .prefault({}),
  network: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe(
      'What the network is called that this process shares with others, such as that of the pods of a cluster: gateways reach instances by their addresses where the controller says the same. Without it: by this machine alone.',
    ),
  nats,
  telemetry,
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('How much is logged.'),
    })
    .prefault({}),
  docker: z
    .strictObject({
      networks: z
        .string()
        .regex(PRIVATE_RANGE, 'a private range of /16 to /26, such as 10.214.0.0/16')
        .default('10.214.0.0/16')
        .describe(
          'Private range that networks of containers are cut from, eight addresses each. What this machine has a route to is left out.',
        ),
    })
    .prefault({}),
  kubernetes: kubernetesConfig.prefault({}),
  mail: z
    .strictObject({
      from: z
        .string()
        .min(3)
        .max(200)
        .optional()
        .describe('Who letters come from, such as `Kalnet <kalnet@example.org>`. Needs a mail server.'),
      smtpUrl: z
        .string()
        .regex(/^smtps?:\/\//)
        .optional()
        .describe('The mail server for invitations and forgotten passwords. Without it nothing is sent.'),
    })
    .prefault({}),
  cors: z
    .strictObject({
      origins: z
        .array(
          z
            .url({ protocol: /^https?$/ })
            .max(255)
            .refine(
              (text) => URL.canParse(text) && new URL(text).origin === text,
              'must be an origin: scheme, name and port only',
            ),
        )
        .max(50)
        .default([])
        .describe(
          'Origins of other sites whose pages may call the API with a service key, never with a sign-in.',
        ),
    })
    .prefault({}),
  domain: z
    .string()
    .max(200)
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'a name such as home.example.org, in lower case')
    .default('kalnet.home.arpa')
    .describe('Services are reached as <name>.<domain>.'),
  gateway: z
    .strictObject({
      enabled: z.stringbool().or(z.boolean()).default(true).describe('Whether this process is a gateway.'),
      host: address.optional().describe('Address the gateway listens on. Default: that of `listen.host`.'),
      httpPort: tcpPort.default(8080).describe('Port for http; with TLS it only leads to https.'),
      httpsPort: tcpPort.default(8443).describe('Port for https, where TLS is enabled.'),
      publicHttpsPort: tcpPort
        .optional()
        .describe('The https port people see, when another program or a router leads it here (443).'),
      join: z
        .array(z.url({ protocol: /^https?$/ }))
        .max(10)
        .default([])
        .describe(
          'For `kalnet gateway`: addresses of the control planes it asks, the next when one is away.',
        ),
      key: z
        .string()
        .max(200)
        .optional()
        .describe('For `kalnet gateway`: its service key, with the scope gateway.serve. Better in a file.'),
      keyFile: z
        .string()
        .max(500)
        .optional()
        .describe('For `kalnet gateway`: the file its service key stands in.'),
      authorityFile: z
        .string()
        .max(500)
        .optional()
        .describe('For `kalnet gateway`: PEM of the authority that the control plane is trusted by.'),
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use lower-case letters, digits and dashes')
        .optional()
        .describe(
          'For `kalnet gateway`: what it is called; each has its own. Default: the name of the machine.',
        ),
      traefikHost: z
        .string()
        .max(253)
        .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'a name like traefik.home.arpa')
        .optional()
        .describe(
          "Name under which Traefik's own dashboard is opened (https://<name>/dashboard/), by owners and administrators only. Default: nowhere.",
        ),
    })
    .prefault({}),
  dns: z
    .strictObject({
      enabled: z.stringbool().or(z.boolean()).default(false).describe('Answer DNS for the domain.'),
      host: address
        .optional()
        .describe('Address to answer on: one of this network, never all. Default: that of `listen.host`.'),
      port: tcpPort.default(53).describe('Port for DNS, UDP and TCP.'),
      forward: z
        .array(address)
        .max(5)
        .default([])
        .describe('Resolvers asked for every other name. Default: those of this machine.'),
    })
    .prefault({}),
  acme: z
    .strictObject({
      directory: z
        .url({ protocol: /^https$/ })
        .default('https://acme-v02.api.letsencrypt.org/directory')
        .describe(
          "Where certificates of the internet are ordered (ACME). Let's Encrypt; to try things out: https://acme-staging-v02.api.letsencrypt.org/directory.",
        ),
      email: z.email().max(200).optional().describe('Whom the authority writes to. It may be left out.'),
      authorityFile: z
        .string()
        .max(500)
        .optional()
        .describe('PEM of the root that the directory itself is trusted by, for an authority of your own.'),
    })
    .prefault({}),
  sessions: z
    .strictObject({
      perUser: z.coerce
        .number()
        .int()
        .min(1)
        .max(1000)
        .default(20)
        .describe('Live sessions one person may have at once.'),
    })
    .prefault({}),
  services: z
    .strictObject({
      finishMs: z.coerce
        .number()
        .int()
        .min(0)
        .max(86_400_000)
        .default(60_000)
        .describe(
          'How long what is open at a service may go on when a newer release has taken over (ms); 0: it ends at once.',
        ),
    })
    .prefault({}),
  placing: placing
    .default('spread')
    .describe(
      'Which controller runs something new, of those that could: the one where most is free (spread), or the fullest one that has room (pack), so that others can sleep. A template may say otherwise.',
    ),
  outbound: z
    .strictObject({
      allow: z
        .array(z.string().max(100))
        .default([])
        .describe(
          'Addresses and networks of your own that Kalnet may send requests to (192.168.1.0/24); the open internet is always allowed.',
        ),
    })
    .prefault({}),
})
export type Config = z.infer<typeof config>
