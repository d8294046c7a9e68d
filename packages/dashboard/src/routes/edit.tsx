/** Changes who may pass and by what rules. It holds at once; nothing is started anew. */
import type { GatewayRoute } from '@kalnet/contracts/gateway'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { PassFields, passOf } from './pass.tsx'
import { fromForm, problemsOf, toForm } from './policy-form.ts'
import css from './routes.module.css'
import { Tuning } from './tuning.tsx'
import { addressOf } from './words.ts'

export default function Edit({ route, onClose }: { route: GatewayRoute; onClose: () => void }) {
  const http = route.match.kind === 'http'
  const [pass, setPass] = useState(() => ({
    access: route.access,
    allowed: route.allowed,
    appPasswords: route.appPasswords,
    exposure: route.exposure,
  }))
  const [form, setForm] = useState(() => toForm(route.policy))
  const [shown, setShown] = useState(false)
  const [tried, setTried] = useState(false)
  const problems = problemsOf(form)
  const save = useMutation({
    mutationFn: () =>
      call(ROUTES.gateway.change, {
        params: { id: route.id },
        body: { ...passOf(pass, http), policy: fromForm(form, route.policy) },
      }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['routes'] })
      toast({ tone: 'good', text: m.routeSaved })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (Object.keys(problems).length > 0) setShown(true)
    else save.mutate()
  }
  return (
    <Dialog title={addressOf(route)} onClose={onClose} place="side">
      <form className={css.form} onSubmit={submit} noValidate>
        {save.error && <ErrorBox problem={save.error} />}
        <PassFields value={pass} http={http} onChange={setPass} />
        <details
          className={css.advanced}
          open={shown}
          onToggle={(event) => setShown(event.currentTarget.open)}
        >
          <summary>{m.routeAdvanced}</summary>
          <Tuning form={form} problems={tried ? problems : {}} onChange={setForm} />
        </details>
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={save.isPending}>
            {m.save}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
