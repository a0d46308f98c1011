# SPDX-License-Identifier: Apache-2.0
# bash completion for ecs-local(1)
# shellcheck shell=bash

_ecs_local() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  case $prev in
  -s | --state) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
  -f | --fault)
    # kind=error,operation=ecs.List*,times=1: a field at a time; "=" is a word of its own to readline.
    local done='' last=$cur
    [[ $cur == *,* ]] && done=${cur%,*}, last=${cur##*,}
    mapfile -t COMPREPLY < <(compgen -P "$done" -W 'kind= operation= ms= code= status= message= times= after= probability=' -- "$last")
    compopt -o nospace 2>/dev/null
    ;;
  -l | --listen | -r | --region | -a | --account | -v | --verify | -x | --speed | --lag) ;;
  =)
    [[ ${COMP_WORDS[COMP_CWORD - 2]} == *kind ]] &&
      mapfile -t COMPREPLY < <(compgen -W 'latency throttle error reset hang lost corrupt' -- "$cur")
    ;;
  *)
    mapfile -t COMPREPLY < <(compgen -W '--listen --state --region --account --verify --speed --still --pacing --lag --fault
      --version --help' -- "$cur")
    ;;
  esac
}
complete -F _ecs_local ecs-local
