/** `kalnet access`: who may do what, from the very table that the server asks. Needs nothing that runs. */
import {
  type Actor,
  can,
  PERMISSIONS,
  type Permission,
  type Role,
  role,
  SCOPES,
} from '@kalnet/contracts/permission'
import type { AnyRoute } from '@kalnet/contracts/route'
import { ROUTES } from '@kalnet/contracts/routes'
import type { AddCommand } from '../context.ts'
import { table } from '../output.ts'
import { usage } from '../problem.ts'

const permissions = Object.keys(PERMISSIONS) as Permission[]
const ORGANISATION = 'organisation'
const ME = 'me'

/** How far a role reaches: everything of the organisation, one's own, or nothing. Asked of `can`, not read from the table. */
export function reachOf(who: Role, permission: Permission): 'all' | 'own' | 'no' {
  const actor: Actor = { kind: 'user', userId: ME, organisationId: ORGANISATION, role: who, scopes: null }
  if (can(actor, permission, { organisationId: ORGANISATION, userId: 'somebody else' })) return 'all'
  return can(actor, permission, { organisationId: ORGANISATION, userId: ME }) ? 'own' : 'no'
}
const isScope = (permission: Permission) => (SCOPES as readonly string[]).includes(permission)
const who = (permission: Permission) =>
  PERMISSIONS[permission] === 'public'
    ? 'everybody'
    : PERMISSIONS[permission] === 'local'
      ? 'this machine'
      : null

export function accessMatrix() {
  const routes: AnyRoute[] = Object.values(ROUTES).flatMap((group) => Object.values(group))
  return {
    permissions: permissions.map((permission) => ({
      permission,
      open: who(permission),
      roles: Object.fromEntries(role.options.map((it) => [it, reachOf(it, permission)])),
      key: isScope(permission),
    })),
    routes: routes.map(({ method, path, permission, stepUp, audit, summary }) => ({
      method,
      path,
      permission,
      proof: stepUp === true,
      audit,
      summary,
      roles: role.options.filter((it) => reachOf(it, permission) !== 'no'),
    })),
  }
}

export const addAccess: AddCommand = (program, context) => {
  program
    .command('access')
    .description('who may do what: role by permission, and every route')
    .option('--role <role>', 'only what this role may')
    .option('--routes', 'every route of the API with its permission')
    .addHelpText(
      'after',
      `
Examples:
  kalnet access                    permission by role: all, own, or no
  kalnet access --role child       what a child may
  kalnet access --routes           every address, who may, and whether it asks for a fresh proof
  kalnet access --json             both, for scripts`,
    )
    .action((flags: { role?: string; routes?: boolean }) => {
      const only = flags.role === undefined ? null : role.safeParse(flags.role)
      if (only && !only.success)
        throw usage(`There is no role ${flags.role}.`, `The roles are ${role.options.join(', ')}.`)
      const matrix = accessMatrix()
      const chosen = only?.data
      const shown = {
        permissions: matrix.permissions.filter((it) => !chosen || it.open || it.roles[chosen] !== 'no'),
        routes: matrix.routes.filter(
          (it) => !chosen || it.permission === 'public' || it.roles.includes(chosen),
        ),
      }
      const roles = chosen ? [chosen] : role.options
      const lines = flags.routes
        ? table(
            ['method', 'address', 'permission', 'fresh proof', 'recorded as'],
            shown.routes.map((it) => [
              it.method,
              it.path,
              it.permission,
              it.proof ? 'yes' : '',
              it.audit ?? '',
            ]),
          )
        : table(
            ['permission', ...roles, 'a key'],
            shown.permissions.map((it) => [
              it.permission,
              ...roles.map((each) => it.open ?? it.roles[each] ?? ''),
              it.key ? 'yes' : 'no',
            ]),
          )
      context().output.result(lines, shown)
    })
}
