/** Part of the configuration's schema: what Kalnet speaks to besides its database, NATS and a collector. */
import { z } from 'zod'
import { areHeaders } from './otlp-headers.ts'

export const nats = z
  .strictObject({
    url: z
      .string()
      .max(1000)
      .regex(
        /^(nats|tls):\/\/[^\s,]+(,(nats|tls):\/\/[^\s,]+)*$/,
        'nats://host:4222 or tls://host:4222, several with commas',
      )
      .refine((text) => text.split(',').every((one) => URL.canParse(one)), 'not an address')
      .optional()
      .describe(
        'NATS servers by which several servers wake each other (nats://host:4222, tls://…, several with commas). It only makes news faster; nothing is lost without it.',
      ),
    token: z
      .string()
      .min(1)
      .max(1000)
      .optional()
      .describe(
        'Token for NATS, where it asks for one. A name and password stand in the address instead (nats://name:password@host).',
      ),
    authorityFile: z
      .string()
      .max(500)
      .optional()
      .describe('PEM of the root that NATS is trusted by, for an authority of your own.'),
    subject: z
      .string()
      .max(100)
      .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, 'words with dots between them')
      .default('kalnet')
      .describe('Under which subject this installation speaks, where NATS is shared.'),
  })
  .prefault({})

export const telemetry = z
  .strictObject({
    otlpUrl: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .refine((text) => !URL.canParse(text) || new URL(text).username === '', 'no name or password in it')
      .optional()
      .describe(
        'OpenTelemetry collector that figures and traces are sent to by OTLP over HTTP (http://collector:4318; v1/metrics and v1/traces are added). On a network of your own it must be allowed by `outbound.allow`. Without it nothing is measured or sent.',
      ),
    otlpHeaders: z
      .string()
      .max(4000)
      .refine(areHeaders, 'name=value, several with commas, each written as in an address')
      .optional()
      .describe(
        'Headers for the collector, such as its key: name=value, several with commas. Better in the environment than in a file.',
      ),
    share: z.coerce
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe(
        'Share of the traces begun here that are sent, 0 to 1. A trace that somebody else began is sent when that one sends it.',
      ),
    everyMs: z.coerce
      .number()
      .int()
      .min(1000)
      .max(600_000)
      .default(30_000)
      .describe('How often figures are sent, in milliseconds.'),
  })
  .prefault({})
