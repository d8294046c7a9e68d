/** Guards an address: which, from which path on, who passes. */
import type { Allowed } from '@kalnet/contracts/app'
import type { ForwardRoute } from '@kalnet/contracts/forward'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Pick } from '../ui/checks.tsx'
import { Switch } from '../ui/choice.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import css from './apps.module.css'
import { Who } from './who.tsx'

const hostProblem = (text: string) =>
  /^[a-z0-9.-]+(:\d{1,5})?$/i.test(text) ? undefined : m.forwardHostWrong
const pathProblem = (text: string) => (/^\/[\w./~-]*$/.test(text) ? undefined : m.forwardPathWrong)

/** Without `route`: a new one. */
export default function Guard({ route, onClose }: { route?: ForwardRoute; onClose: () => void }) {
  const [name, setName] = useState(route?.name ?? '')
  const [host, setHost] = useState(route?.host ?? '')
  const [pathPrefix, setPath] = useState(route?.pathPrefix ?? '/')
  const [who, setWho] = useState(route?.who ?? 'people')
  const [allowed, setAllowed] = useState<Allowed>(route?.allowed ?? { roles: [], groups: [] })
  const [appPasswords, setPasswords] = useState(route?.appPasswords ?? false)
  const [tried, setTried] = useState(false)
  const save = useMutation({
    mutationFn: () => {
      const rules = { name: name.trim(), who, allowed, appPasswords: who === 'people' && appPasswords }
      return route
        ? call(ROUTES.forwards.change, { params: { id: route.id }, body: rules })
        : call(ROUTES.forwards.add, { body: { ...rules, host, pathPrefix } })
    },
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['forward-routes'] })
      toast({ tone: 'good', text: m.appSaved })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!nameProblem(name) && !hostProblem(host) && !pathProblem(pathPrefix)) save.mutate()
  }
  return (
    <Dialog title={route ? route.name : m.forwardAdd} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {save.error && <ErrorBox problem={save.error} />}
        <Field
          label={m.appName}
          placeholder={m.appNameExample}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={tried ? nameProblem(name) : undefined}
        />
        {!route && (
          <>
            <Field
              label={m.forwardHost}
              placeholder={m.forwardHostExample}
              maxLength={255}
              value={host}
              onChange={setHost}
              problem={tried ? hostProblem(host) : undefined}
            />
            <Field
              label={m.forwardPath}
              help={m.forwardPathHelp}
              maxLength={200}
              value={pathPrefix}
              onChange={setPath}
              problem={tried ? pathProblem(pathPrefix) : undefined}
            />
          </>
        )}
        <Pick
          label={m.forwardWho}
          value={who}
          options={[
            { value: 'people', label: m.forwardPeople },
            { value: 'public', label: m.forwardPublic, more: m.forwardPublicMore },
          ]}
          onChange={setWho}
        />
        {who === 'people' && (
          <>
            <Who value={allowed} onChange={setAllowed} />
            <Switch label={m.forwardPasswords} value={appPasswords} onChange={setPasswords} />
          </>
        )}
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={save.isPending}>
            {route ? m.save : m.forwardMake}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
