#!/usr/bin/env sh
# Makes Confluent's charts installable on Kubernetes 1.25 and later: policy/v1beta1 is gone there, and no value of theirs turns it off.
# Usage: charts/confluent/mend.sh FOLDER, where FOLDER is a clone or an unpacked archive of cp-helm-charts. Run twice, it changes nothing more.
set -eu
folder=${1:?"usage: charts/confluent/mend.sh FOLDER (a clone of confluentinc/cp-helm-charts)"}
budget=$folder/charts/cp-zookeeper/templates/poddisruptionbudget.yaml
[ -f "$budget" ] || { echo "$budget is not there: is $folder a clone of cp-helm-charts?" >&2; exit 1; }
sed -i.before 's#policy/v1beta1#policy/v1#' "$budget" && rm "$budget.before"
echo "$budget: policy/v1"
