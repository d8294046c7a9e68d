/** Answers and errors in the form that a protocol of others prescribes; a route names it (`form`), the pipeline keeps to it. */
import type { KalnetError } from '@kalnet/contracts/errors'
import type { RouteForm } from '@kalnet/contracts/route'
import { SCIM_ERROR, SCIM_PATH, SCIM_TYPE, scimType } from '@kalnet/contracts/scim'

declare module 'fastify' {
  interface FastifyContextConfig {
    form?: RouteForm | undefined
  }
}

interface Form {
  /** The content type of answers and errors. */
  type: string
  error(error: KalnetError, requestId: string): unknown
}

/** Codes of ours that have a name there too. */
const SCIM_NAMES: Record<string, string> = { 'request.invalid': 'invalidSyntax' }

const FORMS: Partial<Record<RouteForm, Form>> = {
  scim: {
    type: SCIM_TYPE,
    error({ code, status, message, details }) {
      const named = scimType.safeParse(details.scimType ?? SCIM_NAMES[code])
      return {
        schemas: [SCIM_ERROR],
        status: String(status),
        ...(named.success ? { scimType: named.data } : {}),
        detail: message,
      }
    },
  },
}
const OURS: Form = { type: 'application/json', error: (error, requestId) => error.body(requestId) }

export const formOf = (form: RouteForm | undefined): Form => (form && FORMS[form]) ?? OURS
/** For addresses where there is no route to say so. */
export const formAt = (address: string): RouteForm | undefined =>
  address.startsWith(`${SCIM_PATH}/`) ? 'scim' : undefined
