/** Who may pass and from where: the part of an address that everybody understands. */
import type { Allowed } from '@kalnet/contracts/app'
import type { GatewayRoute } from '@kalnet/contracts/gateway'
import { Who } from '../apps/who.tsx'
import * as m from '../messages/index.ts'
import { Pick } from '../ui/checks.tsx'
import { Switch } from '../ui/choice.tsx'

export interface Pass {
  access: GatewayRoute['access']
  allowed: Allowed
  appPasswords: boolean
  exposure: GatewayRoute['exposure']
}
export const NEW_PASS: Pass = {
  access: 'people',
  allowed: { roles: [], groups: [] },
  appPasswords: false,
  exposure: 'internal',
}
/** Programs show an app password only where people are asked who they are. */
export const passOf = (pass: Pass, http: boolean): Pass => ({
  ...pass,
  appPasswords: http && pass.access === 'people' && pass.appPasswords,
})

interface PassFieldsProps {
  value: Pass
  /** Only then anybody is asked who they are. */
  http: boolean
  onChange: (value: Pass) => void
}
export function PassFields({ value, http, onChange }: PassFieldsProps) {
  const change = (some: Partial<Pass>) => onChange({ ...value, ...some })
  return (
    <>
      {http && (
        <Pick
          label={m.routeWho}
          value={value.access}
          options={[
            { value: 'people', label: m.routeWhoPeople },
            { value: 'public', label: m.routeWhoPublic, more: m.routeWhoPublicMore },
          ]}
          onChange={(access) => change({ access })}
        />
      )}
      {http && value.access === 'people' && (
        <>
          <Who value={value.allowed} onChange={(allowed) => change({ allowed })} />
          <Switch
            label={m.routePasswordsLabel}
            value={value.appPasswords}
            onChange={(appPasswords) => change({ appPasswords })}
          />
        </>
      )}
      <Pick
        label={m.routeExposure}
        value={value.exposure}
        options={[
          { value: 'internal', label: m.routeInternal, more: m.routeInternalMore },
          { value: 'external', label: m.routeExternal, more: m.routeExternalMore },
        ]}
        onChange={(exposure) => change({ exposure })}
      />
    </>
  )
}
