/** Adds a machine or a cluster: a name, then the command to run there or the manifest to apply, once. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { controllersQuery } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Choice, Switch } from '../ui/choice.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { CopyButton, ErrorBox } from '../ui/parts.tsx'
import { Joining } from './joining.tsx'
import { Manifest } from './manifest.tsx'
import css from './settings.module.css'

type Kind = 'machine' | 'cluster'
const NOTHING = { registry: '', image: '', url: '' }

interface FormProps {
  kind: Kind
  name: string
  onName: (name: string) => void
  problem: string | undefined
}
function Name({ kind, name, onName, problem }: FormProps) {
  const isCluster = kind === 'cluster'
  return (
    <Field
      label={isCluster ? m.enrolClusterName : m.controllerName}
      placeholder={isCluster ? m.enrolClusterExample : m.controllerNameExample}
      maxLength={60}
      value={name}
      onChange={onName}
      problem={problem}
      autoFocus
    />
  )
}

export default function Enrol({ onClose }: { onClose: () => void }) {
  const [kind, setKind] = useState<Kind>('machine')
  const [name, setName] = useState('')
  const [given, setGiven] = useState(NOTHING)
  const [readPods, setReadPods] = useState(false)
  const [perOrganisation, setPerOrganisation] = useState(false)
  const [tried, setTried] = useState(false)
  const { data: known } = useQuery(controllersQuery)
  const make = useMutation({
    mutationFn: async () => {
      const before = new Set(known?.items.map(({ id }) => id))
      const chosen = Object.fromEntries(
        Object.entries(given)
          .map(([field, text]) => [field, text.trim()])
          .filter(([, text]) => text !== ''),
      )
      const cluster = kind === 'cluster' ? { cluster: { ...chosen, readPods, perOrganisation } } : {}
      return { before, ...(await call(ROUTES.controllers.token, { body: { name, ...cluster } })) }
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!nameProblem(name)) make.mutate()
  }
  const made = make.data
  if (made) {
    const again = () => make.reset()
    const joining = <Joining name={name} expiresAt={made.expiresAt} before={made.before} again={again} />
    if (made.manifest !== undefined)
      return <Manifest text={made.manifest} joining={joining} onClose={onClose} />
    return (
      <Dialog title={m.controllerCommand} onClose={onClose}>
        <pre className={css.command} data-command>
          {made.command}
        </pre>
        <DialogText>{m.controllerCommandText}</DialogText>
        {joining}
        <DialogActions>
          <CopyButton text={made.command} />
          <Button look="primary" onPress={onClose}>
            {m.close}
          </Button>
        </DialogActions>
      </Dialog>
    )
  }
  const set = (field: keyof typeof NOTHING) => (text: string) => setGiven({ ...given, [field]: text })
  return (
    <Dialog title={m.controllerAdd} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {make.error && <ErrorBox problem={make.error} />}
        <Choice
          label={m.enrolKind}
          value={kind}
          onChange={setKind}
          options={[
            { value: 'machine', label: m.enrolMachine },
            { value: 'cluster', label: m.enrolCluster },
          ]}
          {...(kind === 'cluster' && { help: m.enrolClusterHelp })}
        />
        <Name kind={kind} name={name} onName={setName} problem={tried ? nameProblem(name) : undefined} />
        {kind === 'cluster' && (
          <>
            <Field
              label={m.enrolImage}
              help={m.enrolImageHelp}
              placeholder={m.enrolImageExample}
              value={given.image}
              onChange={set('image')}
            />
            <Field
              label={m.enrolRegistry}
              help={m.enrolRegistryHelp}
              placeholder={m.enrolRegistryExample}
              value={given.registry}
              onChange={set('registry')}
            />
            <Field
              label={m.enrolUrl}
              help={m.enrolUrlHelp}
              placeholder={location.origin}
              value={given.url}
              onChange={set('url')}
            />
            <Switch label={m.enrolOthers} value={readPods} onChange={setReadPods} />
            <Switch label={m.enrolApart} value={perOrganisation} onChange={setPerOrganisation} />
          </>
        )}
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={make.isPending}>
            {kind === 'cluster' ? m.enrolMakeManifest : m.controllerMake}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
