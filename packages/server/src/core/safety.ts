/** What every answer says to a browser: guess no type, stand in no frame, tell nobody where it was. */
import { safetyHeaders as headersOf } from '@kalnet/wire/safety'
import type { FastifyReply, FastifyRequest } from 'fastify'

export const safetyHeaders = (request: FastifyRequest): Record<string, string> => ({
  'x-request-id': request.id,
  ...headersOf(request.raw.socket),
})
/** On every answer; a handler's own (an icon's, the dashboard's policy) win. */
export function addSafetyHeaders(request: FastifyRequest, reply: FastifyReply): void {
  for (const [name, value] of Object.entries(safetyHeaders(request)))
    if (!reply.hasHeader(name)) reply.header(name, value)
}
