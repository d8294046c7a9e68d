/** OpenAPI 3.1 from the very schemas the pipeline parses with. */
import { errorBody } from '@kalnet/contracts/errors'
import { SCOPES } from '@kalnet/contracts/permission'
import type { AnyRoute } from '@kalnet/contracts/route'
import { z } from 'zod'
import { formOf } from './forms.ts'

type Json = Record<string, unknown>

const isScope = (route: AnyRoute) => (SCOPES as readonly string[]).includes(route.permission)

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

function parameters(schema: z.ZodType, where: 'path' | 'query'): Json[] {
  const { properties, required } = schemaOf(schema, 'input') as {
    properties?: Record<string, Json>
    required?: string[]
  }
  return Object.entries(properties ?? {}).map(([name, of]) => ({
    name,
    in: where,
    required: where === 'path' || (required ?? []).includes(name),
    schema: of,
  }))
}

function operation(route: AnyRoute): Json {
  const body = schemaOf(route.body, 'input')
  const hasBody = Object.keys((body.properties as Json) ?? {}).length > 0
  return {
    summary: route.summary,
    tags: [route.path.split('/')[2]],
    'x-permission': route.permission,
    ...(route.permission === 'public' ? { security: [] } : {}),
    // What no key may be given is for people alone.
    ...(isScope(route) ? { security: [{ signIn: [] }, { serviceKey: [] }] } : {}),
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
    ...(hasBody
      ? { requestBody: { required: true, content: { 'application/json': { schema: body } } } }
      : {}),
    responses: {
      200: {
        description: 'Done',
        content: { [formOf(route.form).type]: { schema: schemaOf(route.answer, 'output') } },
      },
      default: {
        description: 'Refused or failed',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

/** What the control socket alone answers is not part of the public description. */
export function openApi(routes: readonly AnyRoute[], version = '0.1.0'): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    if (route.permission === 'local') continue
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Kalnet', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ signIn: [] }],
    paths,
    components: {
      schemas: { Error: schemaOf(errorBody, 'output') },
      securitySchemes: {
        signIn: { type: 'apiKey', in: 'cookie', name: 'kalnet', description: '`__Host-kalnet` over https' },
        serviceKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'A service key (`kal_…`) with the scope that `x-permission` names',
        },
      },
    },
  }
}
