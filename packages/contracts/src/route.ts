/** A route as data: what the server's pipeline enforces and every client calls. */
import type { z } from 'zod'
import type { Permission } from './permission.ts'

/**
 * Forms of bodies, answers and errors other than our own.
 * `navigation`: a browser goes there itself, sent by another site's page: a form is understood, no Origin is demanded (what makes it safe is
 * in the request), and a failure is said by the dashboard. `urlencoded`: a program of others posts a form; errors are our own.
 */
export type RouteForm = 'scim' | 'navigation' | 'urlencoded'

export interface Route<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  A extends z.ZodType = z.ZodType,
> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Fastify's form: `/api/sessions/:id`. */
  path: `/api/${string}`
  permission: Permission
  /** One line for OpenAPI. */
  summary: string
  params: P
  query: Q
  /** For GET and DELETE: `nothing`. */
  body: B
  answer: A
  /** What the audit row says, past tense (`session.launched`); null: reading, not recorded. */
  audit: string | null
  /** Dangerous: the person must have proved who it is within the last ten minutes. A service key or the local CLI is asked nothing more. */
  stepUp?: true
  /**
   * Who asks may be remembered for a second (`core/remembered.ts`): only for what reads and is asked all the time. The end of a sign-in
   * or key is heard at once by its event.
   */
  remembered?: true
  /** Whose form errors and content types have; absent: our own. A protocol of others has its own (`scim`). */
  form?: RouteForm
  limits?: { bodyBytes?: number; perMinute?: number }
}

export const route = <P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>(
  it: Route<P, Q, B, A>,
): Route<P, Q, B, A> => it
export type AnyRoute = Route
export type ParamsOf<R> = R extends Route<infer P, z.ZodType, z.ZodType, z.ZodType> ? z.infer<P> : never
export type QueryOf<R> = R extends Route<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.infer<Q> : never
export type BodyOf<R> = R extends Route<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.infer<B> : never
export type BodyIn<R> = R extends Route<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.input<B> : never
export type AnswerOf<R> = R extends Route<z.ZodType, z.ZodType, z.ZodType, infer A> ? z.infer<A> : never
