/** What only the CLI on the same machine may ask, through the control socket. */
import { z } from 'zod'
import { nothing, time } from './basics.ts'
import { route } from './route.ts'

/** A page of the dashboard with a one-use token in its fragment, which no server and no log ever sees. */
const link = z.strictObject({ url: z.string(), expiresAt: time })

export const localRoutes = {
  claimLink: route({
    method: 'POST',
    path: '/api/local/claim-link',
    permission: 'local',
    summary: 'A fresh one-use claim link, or null when claimed already',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ link: link.nullable() }),
    audit: 'claim.issued',
  }),
  resetOwner: route({
    method: 'POST',
    path: '/api/local/reset-owner',
    permission: 'local',
    summary: 'A one-use link with which the owner sets a new password; may also remove the second factors',
    params: nothing,
    query: nothing,
    body: z.strictObject({ clearFactors: z.boolean().default(false) }),
    answer: z.strictObject({ link }),
    audit: 'owner.reset-issued',
  }),
  controllerToken: route({
    method: 'POST',
    path: '/api/local/controller-token',
    permission: 'local',
    summary:
      "A one-use enrolment token for this machine's own controller, which serves everybody; also before the claim",
    params: nothing,
    query: nothing,
    body: z.strictObject({ name: z.string().trim().min(1).max(60) }),
    answer: z.strictObject({ token: z.string(), expiresAt: time }),
    audit: 'controller.token-made',
  }),
}
