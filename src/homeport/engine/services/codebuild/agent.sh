#!/bin/sh
# The build agent. It runs the phases of one build by itself, from the plan in /codebuild/readonly, so that a build goes
# on while the engine is down. Everything it tells the engine is a line on its standard output that begins with the
# record separator and the build's nonce; all other lines are the build's output.
#
#   phase NAME            a phase begins              end NAME SUCCEEDED|FAILED
#   run PART NUMBER       a command begins            failed PART NUMBER STATUS
#   retry NAME NUMBER     the phase runs once more    done 1|0     the build succeeded or not

plan=/codebuild/readonly/plan
tmp=/codebuild/output/tmp
read -r nonce <$plan/nonce
read -r shell <$plan/shell
read -r shared <$plan/one-shell
rm -f $plan/nonce
exec </dev/null 2>&1

tell() { printf '\036%s %s\n' "$nonce" "$*"; }

# command PART NUMBER FILE USER PATTERN: run one command; its status is the answer
command_() {
    tell run "$1" "$2"
    {
        printf 'set -a\ncd "$(cat %s/dir.txt)"\n. %s/env.sh\nCODEBUILD_BUILD_SUCCEEDING=%s\n' $tmp $tmp $now
        cat "$3"
        printf '\nCODEBUILD_LAST_EXIT=$?\n'
        [ "$shared" = yes ] && printf 'export -p >%s/env.sh\npwd >%s/dir.txt\n' $tmp $tmp
        printf 'exit $CODEBUILD_LAST_EXIT\n'
    } >$tmp/script.sh
    if [ -n "$5" ]; then
        rm -f $tmp/pipe && mkfifo $tmp/pipe && chmod 666 $tmp/pipe
        tee $tmp/said <$tmp/pipe &
        run_ "$4" >$tmp/pipe 2>&1
        status=$?
        wait $!
    else
        run_ "$4"
        status=$?
    fi
    [ $status -eq 0 ] || tell failed "$1" "$2" $status
    return $status
}

run_() {
    if [ -n "$1" ] && [ "$1" != root ]; then
        chmod 666 $tmp/script.sh $tmp/env.sh $tmp/dir.txt
        su -s "$shell" "$1" -c "$shell $tmp/script.sh"
    else
        "$shell" $tmp/script.sh
    fi
}

# all PHASE PART USER PATTERN: run the commands of a part until one fails
all() {
    number=0
    for file in $plan/"$1"/"$2"/*; do
        [ -f "$file" ] || continue
        command_ "$2" $number "$file" "$3" "$4" || return 1
        number=$((number + 1))
    done
}

dockerd=
if [ -e $plan/docker ] && command -v dockerd >/dev/null; then
    . /codebuild/readonly/docker.sh
fi

succeeding=1 result=1
for phase in INSTALL PRE_BUILD BUILD POST_BUILD; do
    tell phase $phase
    read -r after <$plan/$phase/after-failure
    read -r retries <$plan/$phase/retries
    read -r user <$plan/$phase/run-as
    pattern=$(cat $plan/$phase/pattern)
    try=0
    while :; do
        good=yes now=$succeeding
        all $phase commands "$user" "$pattern" || good=no now=0
        all $phase finally "$user" '' || good=no
        [ $good = yes ] && break
        [ $try -lt "$retries" ] || break
        [ -z "$pattern" ] || { cat $tmp/said; echo; } | grep -Eq -e "$pattern" || break
        try=$((try + 1))
        tell retry $phase $try
    done
    if [ $good = yes ]; then
        tell end $phase SUCCEEDED
        continue
    fi
    succeeding=0
    [ "$after" = go-on ] || result=0
    tell end $phase FAILED
    [ "$after" = end ] && break
done

mkdir -p $tmp/exported $tmp/names
(
    . $tmp/env.sh
    for file in $plan/names/*; do
        [ -f "$file" ] && eval "printf %s \"$(cat "$file")\"" >$tmp/names/"${file##*/}"
    done
    while read -r name; do
        eval "printf %s \"\${$name-}\"" >$tmp/exported/"$name"
    done <$plan/exported
)
if [ -n "$dockerd" ] && [ -e $plan/keep-docker ]; then
    # its data are kept for the next build, so they must be whole
    kill "$dockerd" && wait "$dockerd"
    [ -z "$containerd" ] || { kill "$containerd" && wait "$containerd"; }
fi
tell done $result
